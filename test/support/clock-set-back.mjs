// Preloaded into a node: at SIGUSR2 somebody sets the clock of the machine back by an hour.
process.on('SIGUSR2', () => {
  const real = Date.now;
  Date.now = () => real.call(Date) - 3_600_000;
  process.stdout.write('the clock was set back\n');
});
