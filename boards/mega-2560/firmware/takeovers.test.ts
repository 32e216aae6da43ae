/**
 * Takeover after takeover at random moments, in mid-message, in mid-move, with bytes on both lines: what the pins did is counted, not what
 * the stream said of it.
 */
import { expect, test } from 'vitest';
import { wireOfPin } from '../emulator/arduino-pins.ts';
import { type Port, startAttached } from './firmware.test-rig.ts';

const takeovers = Number(process.env.UNDERSTUDY_TAKEOVERS ?? 150);
/** Of real time, on a busy machine. */
const deadlineMs = 30_000 + 500 * takeovers;
const togglePin = 40;
const stepPin = 22;
const inputPin = 30;
const stepsPerMove = 7;

function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test(
  `${takeovers} takeovers: every output and step once, every input edge once, in order`,
  () => {
    const rig = startAttached();
    const random = randomFrom(11);
    const { session } = rig.sides[0];
    let port: Port = 0;
    let term = 1;
    /** What the program said since the session began: the same on both boards. */
    const stream: number[] = [];
    const say = (...bytes: number[]) => {
      stream.push(...bytes);
      rig.write(port, ...bytes);
    };
    const levels: number[] = [];
    let steps = 0;
    rig.machine.wires.listen((wire, level) => {
      if (wire === wireOfPin(togglePin)) levels.push(level);
      if (wire === wireOfPin(stepPin)) steps += level;
    });
    rig.machine.drive(inputPin, 0);
    say(0xf4, togglePin, 1, 0xf4, inputPin, 0, 0xd0 | (inputPin >> 3), 1);
    say(0xf0, 0x72, 0, 0, 1, 72, 1, stepPin + 1, stepPin, 0xf7);
    rig.run(20);
    rig.taken(0);
    const inputs: number[] = [];
    const edges: number[] = [];
    let toggles = 0;
    let moves = 0;
    for (let takeover = 0; takeover < takeovers; takeover++) {
      for (let work = random(6); work >= 0; work--) {
        toggles += 1;
        say(0xf5, togglePin, toggles & 1);
        rig.run(random(8));
      }
      // A move that goes on while the board changes; the last one is over by then.
      moves += 1;
      say(0xf0, 0x72, 1, 0, 1, stepsPerMove, 0, 0, 100, 6, 0xf7);
      edges.push(0x90 | (inputPin >> 3), takeover % 2 === 0 ? 0x40 : 0, 0);
      rig.machine.drive(inputPin, takeover % 2 === 0 ? 1 : 0);
      rig.run(random(40) / 10);
      // The board dies: what it had handed to its UART still comes, nothing else does.
      const dead = rig.sides[port];
      dead.isCut = true;
      inputs.push(...rig.taken(port));
      const received = dead.inputsFrom + dead.inputs.length;
      port = (1 - port) as Port;
      term += 1;
      const heir = rig.sides[port];
      heir.isCut = false;
      rig.attach(port, term, session, received);
      // Its program has said the same: it sends exactly what the device has not accepted.
      rig.write(port, ...stream.slice(heir.outputsAccepted));
      rig.runUntil('all accepted', () => heir.outputsAccepted === stream.length);
      rig.run(30);
    }
    inputs.push(...rig.taken(port));
    expect(levels).toEqual(Array.from({ length: toggles }, (_, index) => (index + 1) & 1));
    expect(steps).toBe(moves * stepsPerMove);
    // The end of each move is said, too.
    const reports: number[] = [];
    let ends = 0;
    for (let at = 0; at < inputs.length; ) {
      if (inputs[at] === 0xf0) {
        expect(inputs.slice(at, at + 4)).toEqual([0xf0, 0x72, 0, 0xf7]);
        ends += 1;
        at += 4;
      } else {
        reports.push(...inputs.slice(at, at + 3));
        at += 3;
      }
    }
    expect([reports, ends]).toEqual([edges, moves]);
    expect(rig.info().get('term')).toBe(String(takeovers + 1));
  },
  deadlineMs,
);
