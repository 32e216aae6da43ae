import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Action, Keyboard, type KeyContext } from './keyboard.ts';

const context: KeyContext = { leader: 'a', reachable: ['a', 'b'], isLocked: false, page: 'pins' };

function press(keys: readonly string[], given: KeyContext = context, keyboard = new Keyboard()): Action[] {
  return keys.flatMap((key) => keyboard.press(key, given));
}

describe('Keyboard', () => {
  it('switches over at the leader, with the reason that was typed, after a yes', () => {
    const actions = press(['w', ...'pump', ' ', ...'out', 'backspace', 'enter', 'y']);
    expect(actions).toEqual([
      { kind: 'request', board: 'a', request: { command: 'switchover', reason: 'pump ou', yes: true } },
    ]);
  });

  it.each(['n', 'enter', ' ', 'escape', 'w', 'up'])('takes %j for no', (key) => {
    expect(press(['w', 'enter', key])).toEqual([{ kind: 'notice', text: 'Nothing was done.' }]);
  });

  it('asks nobody when no board leads, or when its console is not attached', () => {
    expect(press(['w', 'enter', 'y'], { ...context, leader: null })[0]).toMatchObject({ kind: 'notice' });
    expect(press(['w', 'enter', 'y'], { ...context, reachable: ['b'] })[0]).toMatchObject({ kind: 'notice' });
  });

  it('does nothing when the leader has changed while the reason was typed', () => {
    const keyboard = new Keyboard();
    press(['w', 'x'], context, keyboard);
    const actions = press(['enter', 'y'], { ...context, leader: null }, keyboard);
    expect(actions).toMatchObject([{ kind: 'notice' }]);
  });

  it('sends a command to the leader, or to the board that is named', () => {
    expect(press([':', ...'links', 'enter'])).toEqual([
      { kind: 'request', board: 'a', request: { command: 'links' } },
    ]);
    expect(press([':', ...'b isolate', 'enter'])).toEqual([
      { kind: 'request', board: 'b', request: { command: 'isolate' } },
    ]);
    expect(press([':', 'enter'])).toEqual([]);
  });

  it('answers what a console asks back with yes or with nothing', () => {
    const keyboard = new Keyboard();
    keyboard.ask('b', 'sure?');
    expect(press(['y'], context, keyboard)).toEqual([
      { kind: 'request', board: 'b', request: { command: 'yes' } },
    ]);
    keyboard.ask('b', 'sure?');
    expect(press(['q'], context, keyboard)).toEqual([{ kind: 'notice', text: 'Nothing was done.' }]);
  });

  it('has the menu of tio behind Ctrl-T', () => {
    const chosen = (key: string): Action[] => press(['ctrl-t', key]);
    expect(chosen('q')).toEqual([{ kind: 'quit' }]);
    expect(chosen('l')).toEqual([{ kind: 'redraw' }]);
    expect(chosen('r')).toEqual([{ kind: 'reconnect' }]);
    expect(chosen('t')).toEqual([{ kind: 'timestamps' }]);
    expect(chosen('o')).toEqual([{ kind: 'hex' }]);
    expect(chosen('f')).toEqual([{ kind: 'log' }]);
    expect(press(['ctrl-t', 'x', ...'status', 'enter'])).toMatchObject([{ request: { command: 'status' } }]);
    const keyboard = new Keyboard();
    press(['ctrl-t', '?'], context, keyboard);
    expect(keyboard.mode.kind).toBe('help');
  });

  it('asks for a password only where one is wanted', () => {
    expect(press(['p'])).toMatchObject([{ kind: 'notice' }]);
    expect(press(['p', ...'Sesam', 'enter'], { ...context, isLocked: true })).toEqual([
      { kind: 'login', password: 'Sesam' },
    ]);
  });

  it('never changes the pair without a y after a question, whatever is typed', () => {
    const key = fc.oneof(
      fc.constantFrom('w', 'enter', 'escape', 'ctrl-t', 'tab', 'n', 'q', 'r', 'x', 'backspace', 'up'),
      fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 1 })
        .filter((each) => each !== 'y' && each !== 'Y'),
    );
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), (keys) => {
        const changes = press(keys).filter(
          (action) =>
            action.kind === 'request' && (action.request.yes === true || action.request.command === 'yes'),
        );
        expect(changes).toEqual([]);
      }),
    );
  });
});
