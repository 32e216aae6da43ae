/* CRC-16/IBM-3740, also known as CCITT-FALSE (protocol/README.md section 2): polynomial 1021, check value 29b1. */
#ifndef WIRE_CRC16_H
#define WIRE_CRC16_H

#include <stdint.h>

#define WIRE_CRC16_START 0xffffu

/* The CRC of what `crc` stands for, followed by one more byte. */
uint16_t wire_crc16(uint16_t crc, uint8_t byte);

#endif
