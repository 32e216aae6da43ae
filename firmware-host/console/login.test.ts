import { describe, expect, test } from 'vitest';
import { event, Line } from './console-line.fake.ts';
import { idleMsMax, type Password } from './login.ts';
import { LoginGate } from './login-gate.ts';

describe('a password', () => {
  function locked(mode: 'text' | 'json' = 'text'): Line {
    const password: Password = { gate: new LoginGate(), check: (text, done) => done(text === 'open sesame') };
    return new Line({ mode, password });
  }

  test('is needed for everything that tells or changes something', () => {
    const line = locked();
    expect(line.take()).toContain('A password is needed');
    for (const command of [
      'status',
      'events',
      'safe --reason x --yes',
      'bundle',
      'watch turns',
      'log info',
    ]) {
      expect(line.type(`${command}\r`)).toContain('a password is needed');
    }
    line.session.event(line.now, event(1, 'alarm', 'silent'));
    expect(line.take()).not.toContain('silent');
    expect(line.board.orders).toEqual([]);
    expect(line.board.bundles).toBe(0);
    expect(line.type('version\r')).toContain('understudy 1.2.3');
  });

  test('is typed unseen', () => {
    const line = locked();
    expect(line.type('login\r')).toMatch(/password: $/);
    expect(line.type('open sesame\r')).not.toContain('sesame');
    expect(line.type('status\r')).toContain('board a: primary');
  });

  test('may not be tried too often', () => {
    const line = locked('json');
    expect(line.items()).toMatchObject([{ kind: 'hello', locked: true }]);
    expect(line.ask('login wrong')).toMatchObject([{ kind: 'error', code: 'LOGIN_FAILED' }]);
    expect(line.ask('login "open sesame"')).toMatchObject([{ kind: 'error', code: 'LOGIN_TOO_SOON' }]);
    line.wait(1000);
    expect(line.ask('login wrong')).toMatchObject([{ code: 'LOGIN_FAILED' }]);
    line.wait(1999);
    expect(line.ask('login "open sesame"')).toMatchObject([{ code: 'LOGIN_TOO_SOON' }]);
    line.wait(1);
    expect(line.ask('login "open sesame"')).toMatchObject([{ kind: 'done', command: 'login' }]);
  });

  test('is asked for again after logout, and after ten quiet minutes', () => {
    const line = locked();
    line.type('login "open sesame"\r');
    expect(line.type('\u0004')).toContain('logged out');
    expect(line.type('status\r')).toContain('a password is needed');
    line.type('login "open sesame"\r');
    line.type('safe --reason smoke\r');
    line.wait(idleMsMax);
    expect(line.take()).toContain('logged out');
    line.type('yes\r');
    expect(line.board.orders).toEqual([]);
    expect(line.type('status\r')).toContain('a password is needed');
  });

  test('is not shown when it is typed while another one is checked', () => {
    const checks: ((isRight: boolean) => void)[] = [];
    const line = new Line({
      password: { gate: new LoginGate(), check: (_text, callback) => checks.push(callback) },
    });
    line.type('login\r');
    line.type('wrong\r');
    expect(line.type('login\ropen sesame\r')).not.toContain('sesame');
    line.now += 1000;
    checks[0]!(false);
    checks[1]?.(true);
    expect(line.type('version\r')).toContain('version');
  });

  test('an answer that comes after the port has gone goes nowhere', () => {
    let done: (isRight: boolean) => void = () => {};
    const line = new Line({
      password: { gate: new LoginGate(), check: (_text, callback) => (done = callback) },
    });
    line.type('login x\rstatus\r');
    line.session.close();
    line.take();
    done(true);
    expect(line.text).toBe('');
  });
});
