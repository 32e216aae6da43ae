import { describe, expect, it } from 'vitest';
import { FakeLink, openFakeLinks } from './fake-link.ts';
import { collect, describeLinkContract, untilUp } from './link-contract.ts';

describeLinkContract('fake link', async () => {
  const { a, b } = openFakeLinks();
  return {
    a,
    b,
    reopenB() {
      const next = new FakeLink();
      a.join(next);
      return next;
    },
    release() {},
  };
});

describe('fake link', () => {
  it('loses what is sent while cut, and refuses once the other end is closed', async () => {
    const { a, b } = openFakeLinks();
    await Promise.all([untilUp(a), untilUp(b)]);
    const inbox = collect(b);
    a.cut();
    a.send(Uint8Array.of(1));
    await Promise.resolve();
    a.restore();
    a.send(Uint8Array.of(2));
    expect(await inbox.until(1)).toEqual([Uint8Array.of(2)]);
    await b.close();
    const refused = new Promise<void>((resolve) => a.onRefused(resolve));
    a.send(Uint8Array.of(3));
    await refused;
    expect(a.sent.length).toBe(3);
  });
});
