import { expect, test } from 'vitest';
import type { RequestOutput } from '../../protocol/record.ts';
import { portSettingsOf, Requests } from './requests.ts';

function request(
  number: number,
  operation: RequestOutput['operation'] = 'drain',
  argument = 'null',
): RequestOutput {
  return { kind: 'request', request: number, operation, port: 0, argument };
}

test('what was answered waits for its record, and is asked again by a new reign', () => {
  const requests = new Requests();
  requests.add(1, request(0), 10);
  requests.add(2, request(1), 20);
  const [first] = [...requests.outstanding()];
  expect(first).toMatchObject({ request: 0, turn: 1, offset: 10, begun: false });
  first!.answered = true;
  first!.begun = true;
  expect([...requests.outstanding()].map((each) => each.request)).toEqual([1]);
  requests.restart();
  expect([...requests.outstanding()].map((each) => [each.request, each.begun])).toEqual([
    [0, false],
    [1, false],
  ]);
});

test('what is in a record is never asked again', () => {
  const requests = new Requests();
  requests.add(1, request(0), 0);
  expect(requests.completed(0)).toMatchObject({ operation: 'drain' });
  expect(requests.completed(0)).toBeUndefined();
  requests.restart();
  expect([...requests.outstanding()]).toEqual([]);
});

test('ports are bound to devices until the history ends', () => {
  const requests = new Requests();
  requests.bind(3, 1);
  expect(requests.deviceOf(3)).toBe(1);
  expect(requests.deviceOf(4)).toBeNull();
  requests.clear();
  expect(requests.deviceOf(3)).toBeNull();
});

test.each(['null', '3', '{}', '{"path":3}'])('settings without a path: %s', (argument) => {
  expect(portSettingsOf(request(0, 'open', argument))).toEqual({ path: '' });
});

test('settings are kept as the program gave them', () => {
  expect(portSettingsOf(request(0, 'open', '{"path":"m","baudRate":9600}'))).toEqual({
    path: 'm',
    baudRate: 9600,
  });
});
