/** Loaded before a bare program: it does not outlive the bench that measures it, however that ends. */
const benchPid = Number(process.env.UNDERSTUDY_BENCH_PID);
const lookIntervalMs = 500;

setInterval(() => {
  try {
    process.kill(benchPid, 0);
  } catch {
    process.exit(1);
  }
}, lookIntervalMs).unref();
