#include "stepper.h"

#include <stdbool.h>

#include "answer.h"
#include "motor.h"
#include "pins.h"

/* Separate number spaces, as the two firmwares have them: motors 0..9 are the legacy ones, 10..19 AccelStepper's. */
#define DEVICES 10
#define ACCEL(device) (DEVICES + (device))
#define GROUPS 5
#define NO_GROUP 0xff
#define NO_PIN 0xff

#define REPORT_POSITION 0x06
#define MOVE_COMPLETE 0x0a
#define GROUP_COMPLETE 0x24

static uint16_t steps_per_revolution[DEVICES];

struct accel {
  float steps_per_second;
  float acceleration;
  uint8_t enable_pin;
  /* That the last move belongs to. */
  uint8_t group;
};
static struct accel accels[DEVICES];

struct group {
  uint8_t count;
  uint8_t devices[DEVICES];
};
static struct group groups[GROUPS];

static uint16_t pair_at(const uint8_t *data) { return (data[0] & 0x7f) | (uint16_t)(data[1] & 0x7f) << 7; }

/* Magnitude in 31 bits, low first, sign in bit 3 of the fifth byte. */
static int32_t signed_at(const uint8_t *data) {
  uint32_t magnitude = 0;
  for (uint8_t i = 5; i > 0; i--) magnitude = magnitude << 7 | (data[i - 1] & (i == 5 ? 0x07 : 0x7f));
  return data[4] & 0x08 ? -(int32_t)magnitude : (int32_t)magnitude;
}

/* 23 bits of significand, a decimal exponent biased by 11, sign in bit 6 of byte 3. */
static float float_at(const uint8_t *data) {
  uint32_t significand = pair_at(data) | (uint32_t)(data[2] & 0x7f) << 14 | (uint32_t)(data[3] & 0x03) << 21;
  int8_t exponent = (int8_t)((data[3] >> 2) & 0x0f) - 11;
  float value = (float)significand;
  for (; exponent > 0; exponent--) value *= 10;
  for (; exponent < 0; exponent++) value /= 10;
  return data[3] & 0x40 ? -value : value;
}

static bool use_pins(const uint8_t *numbers, uint8_t count) {
  for (uint8_t i = 0; i < count; i++) {
    if (!pin_supports(numbers[i], MODE_STEPPER)) return false;
  }
  for (uint8_t i = 0; i < count; i++) {
    if (pins[numbers[i]].mode != MODE_STEPPER) pin_set_mode(numbers[i], MODE_STEPPER);
    else pin_output(numbers[i]);
  }
  return true;
}

static enum outcome legacy_configure(const uint8_t *data, uint16_t length) {
  if (length < 7) return MALFORMED;
  uint8_t type = data[2] & 0x07;
  uint8_t wires = type == 4 ? 4 : 2;
  if (length < 5U + wires || !use_pins(data + 5, wires)) return MALFORMED;
  uint8_t order[MOTOR_WIRES_MAX];
  for (uint8_t i = 0; i < wires; i++) {
    /* AdvancedFirmata is told direction first, then step (firmata-io, stepperConfig). */
    order[i] = data[5 + (type == MOTOR_DRIVER ? 1 - i : i)];
  }
  motor_configure(data[1], type, order, wires);
  uint16_t steps = pair_at(data + 3);
  steps_per_revolution[data[1]] = steps == 0 ? 1 : steps;
  return DONE;
}

enum outcome stepper_message(const uint8_t *data, uint16_t length) {
  if (length < 2 || data[1] >= DEVICES) return MALFORMED;
  uint8_t device = data[1];
  if (data[0] == 0x00) return legacy_configure(data, length);
  if (data[0] != 0x01 || length < 8 || !motor_configured(device)) return MALFORMED;
  /* The end of the last move is said before the next one begins. */
  if (motor_ended(device)) return WAIT;
  /* Speed comes in 0.01 rad/s, ramps in 0.01 rad/s^2. */
  float unit = 0.01f * (float)steps_per_revolution[device] / 6.2831853f;
  int32_t steps = (int32_t)(pair_at(data + 3) | (uint32_t)(data[5] & 0x7f) << 14);
  struct move move = {data[2] == 1 ? steps : -steps, pair_at(data + 6) * unit, 0, 0};
  if (length >= 12) {
    move.acceleration = pair_at(data + 8) * unit;
    move.deceleration = pair_at(data + 10) * unit;
  }
  motor_start(device, &move);
  return DONE;
}

static bool report_position(uint8_t kind, uint8_t device) {
  if (!answer_begin(10)) return false;
  int32_t position = motor_position(ACCEL(device));
  uint32_t magnitude = (uint32_t)(position < 0 ? -position : position);
  answer_byte(START_SYSEX);
  answer_byte(SYSEX_ACCEL_STEPPER);
  answer_byte(kind);
  answer_byte(device);
  for (uint8_t i = 0; i < 4; i++) {
    answer_byte(magnitude & 0x7f);
    magnitude >>= 7;
  }
  answer_byte((magnitude & 0x07) | (position < 0 ? 0x08 : 0));
  answer_byte(END_SYSEX);
  answer_end();
  return true;
}

static bool report_group(uint8_t group) {
  if (!answer_begin(5)) return false;
  answer_byte(START_SYSEX);
  answer_byte(SYSEX_ACCEL_STEPPER);
  answer_byte(GROUP_COMPLETE);
  answer_byte(group);
  answer_byte(END_SYSEX);
  answer_end();
  return true;
}

static enum outcome accel_configure(const uint8_t *data, uint16_t length) {
  if (length < 3) return MALFORMED;
  uint8_t type = (data[2] >> 4) & 0x07;
  uint8_t wires = type == MOTOR_DRIVER ? 2 : type;
  if (wires < 2 || wires > MOTOR_WIRES_MAX) return MALFORMED;
  bool has_enable = data[2] & 0x01;
  uint8_t pin_count = has_enable ? wires + 1 : wires;
  if (length < 3U + pin_count || !use_pins(data + 3, pin_count)) return MALFORMED;
  motor_configure(ACCEL(data[1]), type, data + 3, wires);
  struct accel *accel = &accels[data[1]];
  accel->enable_pin = has_enable ? data[3 + wires] : NO_PIN;
  accel->steps_per_second = 100;
  accel->acceleration = 0;
  accel->group = NO_GROUP;
  return DONE;
}

static enum outcome accel_move(uint8_t device, int32_t steps) {
  if (motor_ended(ACCEL(device))) return WAIT;
  struct accel *accel = &accels[device];
  accel->group = NO_GROUP;
  struct move move = {steps, accel->steps_per_second, accel->acceleration, accel->acceleration};
  motor_start(ACCEL(device), &move);
  return DONE;
}

/* All arrive together: the motor that would take longest sets the time. */
static enum outcome group_move(uint8_t number, const uint8_t *data) {
  const struct group *group = &groups[number];
  float seconds = 0;
  for (uint8_t i = 0; i < group->count; i++) {
    uint8_t device = group->devices[i];
    if (motor_ended(ACCEL(device))) return WAIT;
    float steps = (float)(signed_at(data + 5 * i) - motor_position(ACCEL(device)));
    float speed = accels[device].steps_per_second < 1 ? 1 : accels[device].steps_per_second;
    float needed = (steps < 0 ? -steps : steps) / speed;
    if (needed > seconds) seconds = needed;
  }
  for (uint8_t i = 0; i < group->count; i++) {
    uint8_t device = group->devices[i];
    int32_t steps = signed_at(data + 5 * i) - motor_position(ACCEL(device));
    float speed = seconds > 0 ? (float)(steps < 0 ? -steps : steps) / seconds : accels[device].steps_per_second;
    struct move move = {steps, speed, 0, 0};
    accels[device].group = number;
    motor_start(ACCEL(device), &move);
  }
  return DONE;
}

static enum outcome group_message(uint8_t subcommand, uint8_t number, const uint8_t *data, uint16_t length) {
  if (number >= GROUPS) return MALFORMED;
  struct group *group = &groups[number];
  switch (subcommand) {
    case 0x20:
      if (length > DEVICES) return MALFORMED;
      for (uint8_t i = 0; i < length; i++) {
        if (data[i] >= DEVICES || !motor_configured(ACCEL(data[i]))) return MALFORMED;
      }
      for (uint8_t i = 0; i < length; i++) group->devices[i] = data[i];
      group->count = (uint8_t)length;
      return DONE;
    case 0x21:
      if (group->count == 0 || length < 5 * (uint16_t)group->count) return MALFORMED;
      return group_move(number, data);
    case 0x23:
      if (group->count == 0) return MALFORMED;
      if (!report_group(number)) return WAIT;
      for (uint8_t i = 0; i < group->count; i++) motor_stop(ACCEL(group->devices[i]));
      return DONE;
    default:
      return MALFORMED;
  }
}

enum outcome accel_stepper_message(const uint8_t *data, uint16_t length) {
  if (length < 2) return MALFORMED;
  uint8_t device = data[1];
  if (data[0] >= 0x20) return group_message(data[0], device, data + 2, length - 2);
  if (device >= DEVICES) return MALFORMED;
  if (data[0] == 0x00) return accel_configure(data, length);
  if (!motor_configured(ACCEL(device))) return MALFORMED;
  struct accel *accel = &accels[device];
  switch (data[0]) {
    case 0x01:
      motor_set_position_zero(ACCEL(device));
      return DONE;
    case 0x02:
      return length < 7 ? MALFORMED : accel_move(device, signed_at(data + 2));
    case 0x03:
      return length < 7 ? MALFORMED : accel_move(device, signed_at(data + 2) - motor_position(ACCEL(device)));
    case 0x04:
      if (length < 3) return MALFORMED;
      /* Enable inputs of drivers are active low. */
      if (accel->enable_pin != NO_PIN) pin_level(accel->enable_pin, data[2] == 0);
      return DONE;
    case 0x05:
      if (!report_position(MOVE_COMPLETE, device)) return WAIT;
      motor_stop(ACCEL(device));
      return DONE;
    case 0x06:
      return report_position(REPORT_POSITION, device) ? DONE : WAIT;
    case 0x08:
      if (length < 6) return MALFORMED;
      accel->acceleration = float_at(data + 2);
      if (accel->acceleration < 0) accel->acceleration = 0;
      return DONE;
    case 0x09:
      if (length < 6) return MALFORMED;
      accel->steps_per_second = float_at(data + 2);
      if (accel->steps_per_second < 0) accel->steps_per_second = -accel->steps_per_second;
      return DONE;
    default:
      return MALFORMED;
  }
}

static bool report_legacy_end(uint8_t device) {
  if (!answer_begin(4)) return false;
  answer_byte(START_SYSEX);
  answer_byte(SYSEX_STEPPER);
  answer_byte(device);
  answer_byte(END_SYSEX);
  answer_end();
  return true;
}

static bool group_moving(uint8_t number) {
  const struct group *group = &groups[number];
  for (uint8_t i = 0; i < group->count; i++) {
    if (motor_moving(ACCEL(group->devices[i]))) return true;
  }
  return false;
}

/* The last of a group speaks for all. */
static bool report_accel_end(uint8_t device) {
  uint8_t group = accels[device].group;
  if (group == NO_GROUP) return report_position(MOVE_COMPLETE, device);
  if (group_moving(group)) return true;
  if (!report_group(group)) return false;
  for (uint8_t i = 0; i < groups[group].count; i++) motor_end_reported(ACCEL(groups[group].devices[i]));
  return true;
}

void stepper_poll(void) {
  motor_poll();
  if (!motors_ended()) return;
  for (uint8_t device = 0; device < DEVICES; device++) {
    if (motor_ended(device) && report_legacy_end(device)) motor_end_reported(device);
    if (motor_ended(ACCEL(device)) && report_accel_end(device)) motor_end_reported(ACCEL(device));
  }
}

void stepper_reset(void) {
  for (uint8_t motor = 0; motor < MOTORS; motor++) motor_forget(motor);
  for (uint8_t i = 0; i < GROUPS; i++) groups[i].count = 0;
}
