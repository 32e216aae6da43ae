/*
 * Stepper motors of both generations: AdvancedFirmata's (sysex 0x72, johnny-five's Stepper) and AccelStepperFirmata's (0x62, with
 * positions and groups), ten of each. Steps are made by an interrupt of the motion timer; speeds on ramps are computed by the main loop
 * one step ahead of it, so that a busy main loop costs smoothness of a ramp, never a step. boards/simulated/steppers.ts is the reference.
 */
#ifndef STEPPER_H
#define STEPPER_H

#include <stdint.h>

#include "messages.h"

enum outcome stepper_message(const uint8_t *data, uint16_t length);
enum outcome accel_stepper_message(const uint8_t *data, uint16_t length);

/* Computes ramps, reports moves that have ended. */
void stepper_poll(void);
/* Stops all motors and forgets them. */
void stepper_reset(void);

#endif
