/* Digital ports: their state is sent when reporting is turned on and whenever an input of them has changed, looked at every millisecond. */
#ifndef REPORTING_H
#define REPORTING_H

#include <stdbool.h>
#include <stdint.h>

#include "messages.h"

enum outcome reporting_port(uint8_t port, bool on);
void reporting_poll(uint32_t now_ms);
void reporting_reset(void);

#endif
