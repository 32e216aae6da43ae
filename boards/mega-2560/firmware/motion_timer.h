/*
 * Timer 5 as a free-running clock of 2 MHz for servos (compare A) and steppers (compare B), while either has something to do.
 * Otherwise it makes the PWM of pins 44..46. Rejected: giving that PWM up, as the Arduino core does when a servo is attached.
 */
#ifndef MOTION_TIMER_H
#define MOTION_TIMER_H

#include <stdint.h>

#define MOTION_TICKS_PER_US 2

#define MOTION_SERVO 0x01
#define MOTION_STEPPER 0x02

/* Both may be repeated. After motion_timer_use the timer runs. */
void motion_timer_use(uint8_t user);
void motion_timer_release(uint8_t user);

#endif
