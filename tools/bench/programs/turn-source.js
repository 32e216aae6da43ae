// As many turns as there can be: requests that are always under way, each of whose answers is a turn of its own.
const { SerialPort } = require('serialport');
const requestsUnderWay = 64;
const port = new SerialPort({ path: '/dev/ttyACM0', baudRate: 57600 });

port.on('open', () => {
  const ask = () => port.get(ask);
  for (let index = 0; index < requestsUnderWay; index += 1) ask();
});
