/* What the ATmega2560 of an Arduino Mega has, as this firmware uses it. boards/mega-2560/fenced-profile.ts says the same. */
#ifndef BOARD_H
#define BOARD_H

#define FIRMWARE_VERSION "1.0.0"
#define FIRMWARE_NAME "UnderstudyMega2560"
#define FIRMWARE_MAJOR 1
#define FIRMWARE_MINOR 0

/* Digital pins 0..69; A0 is pin 54. */
#define PIN_COUNT 70
#define PORT_COUNT 9
#define FIRST_ANALOG_PIN 54
#define ANALOG_CHANNELS 16

/*
 * Timers. 0: PWM on pins 4 and 13, and the clock. 1..4: PWM. 5: PWM on 44..46; once a servo or a stepper is in use it runs free at
 * 2 MHz, compare A for servos, B for steppers, C for the PWM of 44..46 in software (motion_timer.h).
 */

#endif
