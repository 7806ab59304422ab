/** What the page says of the answers it gets: whether what it shows is live, and if not, since when. */
import { answeredAt } from './api.js';
import { byId, setText } from './dom.js';
import { age } from './format.js';

/** Rounds begin every two seconds; a node that says nothing for so long is not live. */
const liveMs = 5000;
/** A round takes longer when other nodes hang, but numbers that are older are not live. */
const liveNumbersMs = 10_000;

/** A time of the page's own clock as one of the day. */
export const timeOfDay = (at) => new Date(performance.timeOrigin + at).toLocaleTimeString();

/**
 * Why the last round failed: what is to be said, and of one without an answer what the page does about it.
 * @type {{ state: 'gone' | 'refused', word: string, text: string, next: string } | undefined}
 */
let failure;
/** By the page's own clock: when the numbers that are shown came. */
let seenAt = performance.now();
/** Whether any round has been answered. */
let began = false;
/** Of the last round: how many nodes did not answer, of how many, and what is to be said if the shown one was among them. */
let away = { missing: 0, known: 0, chosen: '' };

/** The nodes' numbers have come. */
export function seen() {
  seenAt = performance.now();
}

/** A round has been answered. @param {typeof away} found */
export function answered(found) {
  began = true;
  failure = undefined;
  away = found;
  tell();
}

/**
 * A round has failed.
 * @param {'gone' | 'refused'} state @param {string} word
 * @param {string} text why what is shown is not what is
 * @param {string} [next] if there was no answer: what the page does about it
 */
export function failed(state, word, text, next = '') {
  failure = { state, word, text, next };
  tell();
}

/** Shows it; to be called every now and then, for silence makes no event. */
export function tell() {
  const silentMs = performance.now() - answeredAt;
  const silence = began && silentMs >= 1000 ? age(silentMs) : '';
  if (failure) {
    const { state, word, text, next } = failure;
    if (!next) return say(state, word, '', text);
    const seen = began ? ` Last seen at ${timeOfDay(answeredAt)}.` : '';
    return say(state, word, silence && `for ${silence}`, `${text}${seen} ${next}`);
  }
  if (!began) return say('waiting', 'connecting');
  if (silentMs >= liveMs) return say('waiting', 'waiting', `last answer ${silence} ago`);
  const numbersMs = performance.now() - seenAt;
  if (numbersMs >= liveNumbersMs) return say('waiting', 'waiting', `last numbers ${age(numbersMs)} ago`);
  if (away.chosen) return say('gone', 'node missing', '', away.chosen);
  if (away.missing > 0) return say('partial', `${away.known - away.missing} of ${away.known} nodes live`);
  say('live', 'live');
}

function say(state, word, since = '', text = '') {
  byId('link').dataset.state = state;
  setText(byId('link-word'), word);
  // Apart, so that it is not read aloud every second.
  setText(byId('link-since'), since);
  byId('banner').hidden = text === '';
  setText(byId('banner-text'), text, 1000);
  byId('main').classList.toggle('stale', state === 'waiting' || text !== '');
}
