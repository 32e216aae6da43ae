/* Numbers of the Firmata protocol 2.6 (github.com/firmata/protocol: protocol.md, i2c.md, onewire.md, accelStepperFirmata.md). */
#ifndef MESSAGES_H
#define MESSAGES_H

#define DIGITAL_MESSAGE 0x90
#define REPORT_ANALOG 0xc0
#define REPORT_DIGITAL 0xd0
#define ANALOG_MESSAGE 0xe0
#define START_SYSEX 0xf0
#define SET_PIN_MODE 0xf4
#define SET_DIGITAL_PIN 0xf5
#define END_SYSEX 0xf7
#define REPORT_VERSION 0xf9
#define SYSTEM_RESET 0xff

/* Ours, of the range that the protocol leaves to users. README.md, "Safe state". */
#define SYSEX_SAFE_STATE 0x0e
#define SYSEX_ACCEL_STEPPER 0x62
#define SYSEX_ANALOG_MAPPING_QUERY 0x69
#define SYSEX_ANALOG_MAPPING_RESPONSE 0x6a
#define SYSEX_CAPABILITY_QUERY 0x6b
#define SYSEX_CAPABILITY_RESPONSE 0x6c
#define SYSEX_PIN_STATE_QUERY 0x6d
#define SYSEX_PIN_STATE_RESPONSE 0x6e
#define SYSEX_EXTENDED_ANALOG 0x6f
#define SYSEX_SERVO_CONFIG 0x70
#define SYSEX_STRING 0x71
#define SYSEX_STEPPER 0x72
#define SYSEX_ONE_WIRE 0x73
#define SYSEX_I2C_REQUEST 0x76
#define SYSEX_I2C_REPLY 0x77
#define SYSEX_I2C_CONFIG 0x78
#define SYSEX_FIRMWARE 0x79
#define SYSEX_SAMPLING_INTERVAL 0x7a

#define PROTOCOL_MAJOR 2
#define PROTOCOL_MINOR 6

/* What became of a message. WAIT: nothing was done yet, there is no room for its answer or what it is for is busy; it is tried again. */
enum outcome { DONE, MALFORMED, WAIT };

#endif
