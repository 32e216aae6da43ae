/* One stepper motor, moved by the motion timer's interrupt. Numbers 0..MOTORS-1. */
#ifndef MOTOR_H
#define MOTOR_H

#include <stdbool.h>
#include <stdint.h>

#define MOTORS 20
#define MOTOR_NONE 0xff

/* Driver with step (first) and direction pin, else the number of coil wires. */
#define MOTOR_DRIVER 1
#define MOTOR_WIRES_MAX 4

/* Stopped, at position 0. The caller has checked type and pins; `pin_count` wires are driven. */
void motor_configure(uint8_t motor, uint8_t type, const uint8_t *pins, uint8_t pin_count);
bool motor_configured(uint8_t motor);
void motor_forget(uint8_t motor);

/*
 * Speeds in steps/s, ramps in steps/s^2 (0: none): before each step the speed is min(limit, sqrt(2 a k), sqrt(2 d rest)), k counted from
 * the start, rest to the end. Replaces a move that is under way.
 */
struct move {
  int32_t steps;
  float steps_per_second;
  float acceleration;
  float deceleration;
};
void motor_start(uint8_t motor, const struct move *move);
void motor_stop(uint8_t motor);
bool motor_moving(uint8_t motor);
/* A move was made to its end; true until motor_end_reported. */
bool motor_ended(uint8_t motor);
/* Of any motor. */
bool motors_ended(void);
void motor_end_reported(uint8_t motor);

int32_t motor_position(uint8_t motor);
void motor_set_position_zero(uint8_t motor);

/* Computes the ramps of the steps that come next, and gives the timer back when nothing moves. */
void motor_poll(void);

#endif
