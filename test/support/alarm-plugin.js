// @ts-check
/** A plugin that makes a node come to its limits: it blocks the event loop, hangs, and has a gauge. */
import { definePlugin, Type } from 'hive-push';

/** @type {(() => void)[]} */
const hanging = [];
let level = 0;

export default definePlugin({
  hooks: {
    /** `(ms)` */
    'alarm.block': {
      args: Type.Null(),
      create:
        () =>
        (_client, { event }) => {
          const end = performance.now() + Number(event?.args[0]);
          while (performance.now() < end);
        },
    },
    /** Until somebody releases those who hang. */
    'alarm.hang': { args: Type.Null(), create: () => () => new Promise((resolve) => hanging.push(() => resolve())) },
    'alarm.release': {
      args: Type.Null(),
      create: () => () => {
        for (const release of hanging.splice(0)) release();
      },
    },
    /** `(level)` */
    'alarm.level': {
      args: Type.Null(),
      create: (_args, { metrics }) => {
        metrics.gauge('plugins.alarm.level', () => level);
        return (_client, { event }) => {
          level = Number(event?.args[0]);
        };
      },
    },
  },
});
