// @ts-check
/** The plugin: it only subscribes. */
import { definePlugin } from 'hive-push';
import './telemetry.js';

export default definePlugin({});
