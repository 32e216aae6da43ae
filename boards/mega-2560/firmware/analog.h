/*
 * The analog inputs: rounds of conversions driven by the converter's interrupt, 104 us each (16 MHz / 128, 13 cycles), and the reports
 * of the channels that the program asked for.
 */
#ifndef ANALOG_H
#define ANALOG_H

#include <stdbool.h>
#include <stdint.h>

void analog_init(void);

/* Nothing is reported, a round that runs is forgotten. */
void analog_reset(void);

/* Turning on sends the value at once. */
void analog_report(uint8_t channel, bool on);

/* The sampling instant: a round of all reported channels whose pins are analog inputs. */
void analog_sample(void);

/* Sends what is converted when there is room for all of it. */
void analog_poll(void);

#endif
