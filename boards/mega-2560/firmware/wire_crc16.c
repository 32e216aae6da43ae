/*
 * Without a table: 512 bytes of one would have to be read from flash, at a cost near that of these shifts.
 *
 * Eight steps of the register at once. The eight bits that leave at the top, `high`, each come back at bits 12, 5 and 0 of the
 * polynomial; those that bit 12 brings to the top again within the eight steps are the upper four, hence high ^ high >> 4.
 */
#include "wire_crc16.h"

uint16_t wire_crc16(uint16_t crc, uint8_t byte) {
  uint8_t high = (uint8_t)((crc >> 8) ^ byte);
  high = (uint8_t)(high ^ (high >> 4));
  return (uint16_t)((uint16_t)(crc << 8) ^ (uint16_t)((uint16_t)high << 12) ^ (uint16_t)((uint16_t)high << 5) ^ high);
}
