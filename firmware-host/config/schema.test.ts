import { describe, expect, it } from 'vitest';
import { parseAddress } from './schema.ts';

describe('parseAddress', () => {
  it.each([
    ['10.0.0.1:7411', { address: '10.0.0.1', port: 7411 }],
    ['[::1]:1', { address: '::1', port: 1 }],
    ['[fe80::1%eth0]:65535', { address: 'fe80::1%eth0', port: 65_535 }],
    ['10.0.0.1:0', null],
    ['10.0.0.1:65536', null],
    ['10.0.0.256:1', null],
    ['board-b:7411', null],
    ['::1:7411', null],
    ['[10.0.0.1]:1', null],
  ])('%s', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });
});
