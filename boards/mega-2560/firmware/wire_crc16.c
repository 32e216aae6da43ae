/*
 * Without a table: 512 bytes of one would have to be read from flash, at a cost near that of these shifts.
 *
 * Eight steps of the register at once. The eight bits that leave at the top come back at bits 12, 5 and 0 of the polynomial; those that
 * bit 12 brings to the top again within the eight steps are the upper four, hence top ^ top >> 4. In two halves of eight bits, because a
 * microcontroller of eight bits shifts those in a few steps and sixteen in many.
 */
#include "wire_crc16.h"

uint16_t wire_crc16(uint16_t crc, uint8_t byte) {
  uint8_t top = (uint8_t)((uint8_t)(crc >> 8) ^ byte);
  uint8_t high;
  uint8_t low;
  top = (uint8_t)(top ^ (top >> 4));
  high = (uint8_t)((uint8_t)(crc & 0xff) ^ (uint8_t)(top << 4) ^ (top >> 3));
  low = (uint8_t)(top ^ (uint8_t)(top << 5));
  return (uint16_t)((uint16_t)((uint16_t)high << 8) | low);
}
