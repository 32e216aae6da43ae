// Water tank: keeps the level between two marks, with a pump, an inlet valve, a float switch and an alarm.
//
//   A0  level sensor, 0..5 V for empty..full        7  pump relay: draws water out to the consumers
//    2  float switch, to ground when full           8  inlet valve relay: lets water in
//    4  operator button: press pauses the pump,     9  level bar (PWM)
//       hold acknowledges the alarm                13  status lamp
const five = require("johnny-five");
const board = new five.Board();

// Percent of the full tank.
const marks = { low: 35, high: 70, alarmLow: 15, alarmHigh: 90 };

board.on("ready", function() {
  const sensor = new five.Sensor({ pin: "A0", freq: 30 });
  const float = new five.Switch(2);
  const button = new five.Button({ pin: 4, holdtime: 800 });
  const pump = new five.Relay(7);
  const valve = new five.Relay(8);
  const bar = new five.Led(9);
  const status = new five.Led(13);

  let level = null;
  let alarm = null;
  let paused = false;
  // Between the marks at start, nobody knows what was going on: fill.
  let started = false;
  let ripple = 0;

  const log = text => {
    const shown = level === null ? "--.-" : level.toFixed(1).padStart(4);
    console.log(`${new Date().toISOString()}  ${shown} %  ${text}`);
  };

  const setRelay = (relay, name, on) => {
    if (relay.isClosed === on) return;
    if (on) relay.close();
    else relay.open();
    log(`${name} ${on ? "on" : "off"}`);
  };

  const raise = reason => {
    if (alarm === reason) return;
    alarm = reason;
    status.stop();
    status.blink(80);
    log(`ALARM: ${reason}`);
  };

  const clear = () => {
    if (alarm === null) return;
    alarm = null;
    status.stop();
    status.blink(250);
    log("alarm cleared");
  };

  // Two marks and not one: at a single mark the relays would chatter with every wave on the water.
  const control = () => {
    if (float.isClosed && level < marks.high) raise("float switch and level disagree");
    else if (level < marks.alarmLow) raise("level too low");
    else if (float.isClosed) raise("float switch: tank nearly full");
    else if (level > marks.alarmHigh) raise("level too high");
    else if (alarm !== null && level > marks.low - 10 && level < marks.high + 10) clear();

    if (level <= marks.low || !started) {
      setRelay(pump, "pump", false);
      setRelay(valve, "valve", !float.isClosed);
    } else if (float.isClosed || level >= marks.high) {
      setRelay(valve, "valve", false);
      setRelay(pump, "pump", !paused);
    }
    if (paused) setRelay(pump, "pump", false);
    started = true;
  };

  sensor.on("data", () => {
    level = (sensor.raw / 1023) * 100;
    control();
    // The bar shows the level; its ripple tells the operator that someone is in control.
    ripple = (ripple + 1) % 8;
    bar.brightness(Math.min(255, Math.round(level * 2.3) + ripple * 3));
  });

  float.on("close", () => log("float switch closed"));
  float.on("open", () => log("float switch open"));
  button.on("press", () => {
    paused = !paused;
    log(paused ? "operator pauses the pump" : "operator releases the pump");
  });
  button.on("hold", clear);

  setInterval(() => log(`valve ${valve.isClosed ? "on" : "off"}, pump ${pump.isClosed ? "on" : "off"}`), 2000);

  status.blink(250);
  log("in control");
  this.repl.inject({ pump, valve, sensor, marks });
});
