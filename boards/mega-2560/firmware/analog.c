#include "analog.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "answer.h"
#include "board.h"
#include "clock.h"
#include "messages.h"
#include "pins.h"

/* Bit n: channel n. `wanted` are converted next, `running` in this round, `ready` are converted and to be sent. */
static uint16_t reported;
static uint16_t wanted;
static volatile uint16_t running;
static uint16_t round_of;
static volatile uint8_t converting;
static uint16_t counts[ANALOG_CHANNELS];

/* Interrupts off, or from the interrupt. */
static void convert(uint8_t channel) {
  converting = channel;
  ADMUX = (1 << REFS0) | (channel & 0x07);
  ADCSRB = channel & 0x08 ? 1 << MUX5 : 0;
  ADCSRA |= (1 << ADEN) | (1 << ADSC);
}

static uint8_t lowest(uint16_t channels) {
  uint8_t channel = 0;
  while (!(channels & 1)) {
    channels >>= 1;
    channel++;
  }
  return channel;
}

ISR(ADC_vect) {
  counts[converting] = ADC;
  uint16_t rest = running & (uint16_t) ~(1U << converting);
  running = rest;
  if (rest != 0) convert(lowest(rest));
  else clock_wake();
}

void analog_init(void) { ADCSRA = (1 << ADEN) | (1 << ADIE) | (1 << ADPS2) | (1 << ADPS1) | (1 << ADPS0); }

void analog_reset(void) {
  reported = 0;
  wanted = 0;
  round_of = 0;
}

void analog_report(uint8_t channel, bool on) {
  if (channel >= ANALOG_CHANNELS) return;
  uint16_t bit = 1U << channel;
  if (on) {
    reported |= bit;
    wanted |= bit;
  } else {
    reported &= (uint16_t)~bit;
    wanted &= (uint16_t)~bit;
  }
}

void analog_sample(void) {
  for (uint8_t channel = 0; channel < ANALOG_CHANNELS; channel++) {
    if (pins[FIRST_ANALOG_PIN + channel].mode == MODE_ANALOG) wanted |= reported & (1U << channel);
  }
}

static bool converted(void) {
  bool done;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { done = running == 0; }
  return done;
}

/* At most 48 bytes: three for each channel. */
static bool send_round(void) {
  uint8_t length = 0;
  for (uint16_t rest = round_of; rest != 0; rest &= rest - 1) length += 3;
  if (!answer_begin(length)) return false;
  for (uint8_t channel = 0; channel < ANALOG_CHANNELS; channel++) {
    if (!(round_of & (1U << channel))) continue;
    answer_byte(ANALOG_MESSAGE | channel);
    answer_pair(counts[channel]);
  }
  answer_end();
  return true;
}

void analog_poll(void) {
  if (!converted()) return;
  if (round_of != 0) {
    /* A channel that was turned off meanwhile is not reported any more. */
    round_of &= reported;
    if (round_of != 0 && !send_round()) return;
    round_of = 0;
  }
  if (wanted == 0) return;
  round_of = wanted;
  wanted = 0;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    running = round_of;
    convert(lowest(round_of));
  }
}
