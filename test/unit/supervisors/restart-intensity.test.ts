import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartIntensity } from '../../../src/supervisors/restart-intensity.ts';
import { fc } from '../../support/properties.ts';

test('a restart is one too many if more than the allowed ones lie within the period before it', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 400 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 100 }), (gaps, allowed, periodMs) => {
      const intensity = new RestartIntensity(allowed, periodMs);
      const times: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        times.push(now);
        const within = times.filter((time) => time >= now - periodMs).length;
        assert.equal(intensity.add(now), within <= allowed);
        assert.equal(intensity.used(now), within);
      }
    }),
  );
});

test('no restart at all may be allowed', () => {
  assert.equal(new RestartIntensity(0, 1000).add(), false);
});
