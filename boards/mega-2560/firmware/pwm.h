/* PWM on pins 2..13 and 44..46: 490 Hz, 977 Hz on pins 4 and 13 whose timer is the clock. */
#ifndef PWM_H
#define PWM_H

#include <stdbool.h>
#include <stdint.h>

bool pwm_available(uint8_t pin);
/* 0 and 255 are constant levels. */
void pwm_write(uint8_t pin, uint8_t duty);
/* The pin is an ordinary one again; its level is the caller's affair. */
void pwm_detach(uint8_t pin);
/* Timer 5 is taken away from pins 44..46, which go on in software, or given back (motion_timer.h). Interrupts off. */
void pwm_timer5_taken(bool taken);

#endif
