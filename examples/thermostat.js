// Room thermostat: DS18B20 on pin 2, heater relay on 7, setpoint knob on A0, lamp on 13 while heating.
const five = require("johnny-five");
const board = new five.Board();

board.on("ready", () => {
  const thermometer = new five.Thermometer({ controller: "DS18B20", pin: 2, freq: 250 });
  const knob = new five.Sensor({ pin: "A0", freq: 100 });
  const heater = new five.Relay(7);
  const lamp = new five.Led(13);
  const hysteresis = 0.5;
  let setpoint = 21;

  knob.on("change", () => {
    setpoint = knob.scaleTo([5, 30]);
  });

  thermometer.on("data", () => {
    const celsius = thermometer.celsius;
    if (celsius < setpoint - hysteresis && !heater.isClosed) {
      heater.close();
      lamp.blink(200);
      console.log("%s °C, below %s °C: heating", celsius.toFixed(1), setpoint.toFixed(1));
    } else if (celsius > setpoint + hysteresis && heater.isClosed) {
      heater.open();
      lamp.stop().off();
      console.log("%s °C, above %s °C: heater off", celsius.toFixed(1), setpoint.toFixed(1));
    }
  });
});
