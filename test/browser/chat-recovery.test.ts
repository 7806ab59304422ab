/** The distributed chat's page when its connection breaks: it returns to its session, or loads anew what it may have missed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, launchBrowser, type Page } from '../support/browser.ts';
import { ChatCluster } from '../support/chat-cluster.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

interface Roster {
  readonly members: readonly string[];
  readonly away: readonly string[];
}

interface Message {
  readonly text: string;
}

const skip = missing('chromium', 'redis-server', 'python3');

describe('the page of the distributed chat comes back', { skip }, () => {
  let cluster: ChatCluster;
  let browser: Browser;
  let ann: Page;
  /** At the second node, on a way of its own. */
  let bob: SocketClient;
  const said: string[] = [];
  let round = 0;

  before(async () => {
    cluster = await ChatCluster.start('memory');
    browser = await launchBrowser();
    bob = await SocketClient.connect('4.8 websocket', cluster.url(1));
    bob.emit('authorize', { nick: 'Bob' });
    await bob.event('authorized');
    bob.emit('join_chat', { chat: 'lobby' });
    await bob.event('entered');
    ann = await browser.newPage();
    await ann.goto(`${cluster.pageUrl}?node=1`);
    await ann.getByTestId('nick').fill('Ann');
    await ann.getByTestId('enter').click();
    await ann.getByTestId('composer').waitFor();
  });

  after(async () => {
    await browser?.close();
    await bob?.disconnect();
    await cluster?.stop();
  });

  /** Both hear what bob says, unless ann is away. */
  async function bobSays(...texts: string[]): Promise<void> {
    for (const text of texts) {
      bob.emit('publish_msg', { room: 'lobby', text });
      await bob.event<Message>('message', (message) => message.text === text);
    }
    said.push(...texts);
  }

  async function annSays(text: string): Promise<void> {
    await ann.getByTestId('text').fill(text);
    await ann.getByTestId('send').click();
    await bob.event<Message>('message', (message) => message.text === text);
    said.push(text);
  }

  const shows = (id: string, text: string) => ann.getByTestId(id).getByText(text, { exact: true }).waitFor();
  const talk = () => ann.getByTestId('messages').locator('.text').allTextContents();
  const away = (nicks: string) => bob.nextEvent<Roster>('roster', (roster) => roster.away.join() === nicks);
  const heard = (name: string) => bob.received.filter((event) => event.name === name).map(({ args }) => args[0]);

  async function sameToBoth(): Promise<void> {
    await shows('messages', said.at(-1)!);
    assert.deepEqual(await talk(), said);
    assert.deepEqual(
      heard('message').map((message) => (message as Message).text),
      said,
    );
  }

  /** Pulls her network; only one node can be reached again. */
  async function cutAndMend(node: 0 | 1): Promise<void> {
    round += 1;
    const suspended = away('Ann');
    for (const way of cluster.ways) way.cut();
    await suspended;
    await shows('status', 'reconnecting');
    const before = await talk();
    await bobSays(...[1, 2, 3, 4].map((number) => `Missed ${number} of round ${round}.`));
    assert.deepEqual(await talk(), before);
    const back = away('');
    cluster.ways[node]!.mend();
    await shows('returned', 'back, nothing missed');
    await back;
    assert.match((await ann.getByTestId('node').textContent()) ?? '', new RegExp(`node${node + 1}`));
    await annSays(`Back in round ${round}.`);
    await sameToBoth();
  }

  test('from a pulled network to the same session: nothing is missing, nothing is doubled', async () => {
    await annSays('Mine, before.');
    await cutAndMend(0);
    await cutAndMend(0);
  });

  test('through another node than before, and from there to the first one', async () => {
    await cutAndMend(1);
    await cutAndMend(1);
    await cutAndMend(0);
    // It has been one session all the time.
    assert.equal(heard('joined').length, 2);
    assert.deepEqual(heard('left'), []);
    assert.deepEqual(await ann.getByTestId('messages').locator('.note').allTextContents(), []);
  });

  test('after its node has died, to another session: what was said meanwhile is loaded', async () => {
    for (const way of cluster.ways) way.cut();
    await shows('status', 'reconnecting');
    await cluster.nodes[0]!.stop('SIGKILL');
    await bobSays('Said while the node is down.');
    await cluster.startNode(0);
    await cluster.connected();
    cluster.ways[0]!.mend();
    await shows('returned', 'reloaded');
    await annSays('Here again.');
    await sameToBoth();
    assert.deepEqual(await ann.getByTestId('members').locator('li').allTextContents(), ['Ann (you)', 'Bob']);
  });

  test('who closes the page has left at once, and is not away', async () => {
    const left = bob.nextEvent<Roster>('left');
    const before = heard('roster').length;
    await ann.close();
    assert.deepEqual((await left).members, ['Bob']);
    assert.equal(heard('roster').length, before);
  });
});
