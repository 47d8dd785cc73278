//! Do events come through message queues whole, confirmed and in order? Real servers of the distribution: RabbitMQ,
//! NATS with JetStream, Mosquitto and Redis.

mod readers;
mod servers;
mod transports;
