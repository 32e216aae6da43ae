/*
 * Up to 12 servos on any pins, one pulse after the other in a frame of 20 ms (longer only when 12 pulses need more). Pulses begin
 * with the first position: a servo that was attached but told nothing does not move.
 */
#ifndef SERVO_H
#define SERVO_H

#include <stdbool.h>
#include <stdint.h>

#define SERVOS_MAX 12

/* Pulse range in microseconds, 544..2400 unless told. False: all 12 are taken. */
bool servo_configure(uint8_t pin, uint16_t min_us, uint16_t max_us);
/* Below 544: degrees 0..180, spread over the range; else microseconds, within the range. */
void servo_write(uint8_t pin, uint16_t value);
/* No pulses until the next write; the range is kept. */
void servo_stop(uint8_t pin);
/* Gives the place up. */
void servo_detach(uint8_t pin);

#endif
