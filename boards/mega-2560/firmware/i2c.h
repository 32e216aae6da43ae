/*
 * The I2C master (sysex 0x76..0x78) at 100 kHz, one transaction at a time, driven by the TWI interrupt. A bus that does not move for
 * 50 ms is cleared by nine clock pulses and the transaction is given up.
 */
#ifndef I2C_H
#define I2C_H

#include <stdint.h>

#include "messages.h"

/* Longest write (a sysex of 256 bytes holds 126) and longest read. */
#define I2C_WRITE_BYTES_MAX 128
#define I2C_READ_BYTES_MAX 64

enum outcome i2c_config(const uint8_t *data, uint16_t length);
enum outcome i2c_request(const uint8_t *data, uint16_t length);

/* The sampling instant: one round of the continuous reads. */
void i2c_sample(void);
/* Goes on with what is under way, sends what was read. */
void i2c_poll(void);
/* Off, as after a reset. */
void i2c_reset(void);

#endif
