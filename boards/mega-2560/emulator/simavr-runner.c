/*
 * Runs a firmware on libsimavr with bytes at given cycles and prints what its UARTs send: the second opinion of cross-check.test.ts.
 *
 * simavr-runner FIRMWARE.hex CYCLES < SCRIPT; a line of the script is "CYCLE UART BYTE", in order of cycles; a line of the output is
 * "UART BYTE". All numbers are decimal. Exit code 1: the firmware crashed, or arguments or script are wrong.
 */
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_hex.h>
#include <stdio.h>
#include <stdlib.h>

#define UARTS 3

static void sent(struct avr_irq_t *irq, uint32_t value, void *uart) {
  (void)irq;
  printf("%d %u\n", *(int *)uart, (unsigned)(value & 0xff));
}

/* Time is virtual: asleep, simavr only counts the cycles. */
static void sleep_not(avr_t *avr, avr_cycle_count_t cycles) {
  (void)avr;
  (void)cycles;
}

static int run_to(avr_t *avr, unsigned long long cycle) {
  while (avr->cycle < cycle) {
    int state = avr_run(avr);
    if (state == cpu_Done || state == cpu_Crashed) return 0;
  }
  return 1;
}

int main(int count, char **words) {
  if (count != 3) return 1;
  uint32_t bytes = 0;
  uint32_t base = 0;
  uint8_t *code = read_ihex_file(words[1], &bytes, &base);
  avr_t *avr = avr_make_mcu_by_name("atmega2560");
  if (code == NULL || avr == NULL) return 1;
  avr_init(avr);
  avr->log = LOG_ERROR;
  avr->frequency = 16000000;
  avr->sleep = sleep_not;
  avr_loadcode(avr, code, bytes, base);
  static int numbers[UARTS];
  avr_irq_t *inputs[UARTS];
  for (int uart = 0; uart < UARTS; uart++) {
    numbers[uart] = uart;
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0' + uart), &flags);
    inputs[uart] = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0' + uart), UART_IRQ_INPUT);
    avr_irq_t *output = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0' + uart), UART_IRQ_OUTPUT);
    avr_irq_register_notify(output, sent, &numbers[uart]);
  }
  unsigned long long cycle;
  unsigned uart;
  unsigned byte;
  while (scanf("%llu %u %u", &cycle, &uart, &byte) == 3) {
    if (uart >= UARTS || !run_to(avr, cycle)) return 1;
    avr_raise_irq(inputs[uart], byte);
  }
  return run_to(avr, strtoull(words[2], NULL, 10)) ? 0 : 1;
}
