//! Do events come through message queues whole, confirmed and in order? Real servers of the distribution: RabbitMQ,
//! NATS with JetStream, Mosquitto and Redis.

#[path = "../appliance/mod.rs"]
mod appliance;
mod delivered;
mod readers;
mod servers;
mod transports;
