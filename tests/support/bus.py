# SPDX-License-Identifier: Apache-2.0
"""Kafka as a test sees it: reading a topic whole, putting bytes into it, deleting and making it."""

import contextlib
import json
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from parts.process import wait_until


class Bus:
    """Topics are named without the installation's prefix: "results", "lanes.default"."""

    def __init__(self, brokers, prefix):
        self.brokers = brokers
        self.prefix = prefix
        self._settings = {
            "bootstrap.servers": brokers,
            "reconnect.backoff.max.ms": 200,
            "log_level": 0,  # brokers come and go in tests
        }
        self.admin = AdminClient(self._settings)

    def topic(self, name):
        return f"{self.prefix}.{name}"

    def topics(self):
        """Short name → number of partitions."""
        head = self.prefix + "."
        found = self.admin.list_topics(timeout=15).topics
        return {
            name.removeprefix(head): len(topic.partitions)
            for name, topic in found.items()
            if name.startswith(head)
        }

    def partitions(self, name):
        """Of a topic that was made: the broker may take a moment to say that it is there."""
        wait_until(lambda: name in self.topics(), 15, f"topic {name}")
        return self.topics()[name]

    def produce(self, name, value, partition=0, key=None, headers=None):
        """Sends bytes, text or something that becomes JSON, and waits for the acknowledgement."""
        if not isinstance(value, bytes | str | None):
            value = json.dumps(value)
        failures = []
        producer = Producer({**self._settings, "linger.ms": 0})
        producer.produce(
            self.topic(name),
            value,
            key=key,
            partition=partition,
            headers=headers,
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
        assert producer.flush(15) == 0, "the broker acknowledged nothing within 15 s"
        assert not failures, failures

    def read(self, name, timeout_s=15, partitions=None):
        """Every message that the topic holds now, partition by partition, in order."""
        consumer = Consumer(
            {**self._settings, "group.id": "test-reader", "enable.auto.commit": False}
        )
        messages = []
        try:
            for partition in partitions or range(self.topics().get(name, 0)):
                place = TopicPartition(self.topic(name), partition)
                low, high = self._watermarks(consumer, place, timeout_s)
                place.offset = low
                consumer.assign([place])
                messages += self._read_until(consumer, low, high, timeout_s)
        finally:
            consumer.close()
        return messages

    def ends(self, name, timeout_s=15):
        """Partition → the offset behind its last message."""
        consumer = Consumer({**self._settings, "group.id": "test-reader"})
        try:
            return {
                partition: self._watermarks(
                    consumer, TopicPartition(self.topic(name), partition), timeout_s
                )[1]
                for partition in range(self.topics().get(name, 0))
            }
        finally:
            consumer.close()

    def read_json(self, name):
        return [json.loads(message.value()) for message in self.read(name) if message.value()]

    def delete(self, *names):
        futures = self.admin.delete_topics([self.topic(n) for n in names], operation_timeout=15)
        for future in futures.values():
            future.result(15)

    def create(self, name, partitions):
        new = NewTopic(self.topic(name), num_partitions=partitions, replication_factor=1)
        for future in self.admin.create_topics([new], operation_timeout=15).values():
            future.result(15)

    def make_again(self, name):
        """Deletes a topic and makes it anew, with as many partitions."""
        partitions = self.partitions(name)
        self.delete(name)
        wait_until(lambda: name not in self.topics(), 20, f"{name} to be gone")

        def made():
            with contextlib.suppress(KafkaException):  # the broker may still be deleting
                self.create(name, partitions)
            return name in self.topics()

        wait_until(made, 20, f"{name} to be there again")

    def close(self):
        """Takes the installation's topics away, so that a long session keeps its broker small."""
        with contextlib.suppress(KafkaException):
            names = list(self.topics())
            if names:
                self.delete(*names)

    @staticmethod
    def _watermarks(consumer, place, timeout_s):
        """The first and the next offset; a broker that has just come back may not lead it yet."""

        def ask():
            with contextlib.suppress(KafkaException):
                return consumer.get_watermark_offsets(place, timeout=timeout_s)

        return wait_until(ask, timeout_s, f"the offsets of {place.topic}")

    @staticmethod
    def _read_until(consumer, low, high, timeout_s):
        messages = []
        deadline = time.monotonic() + timeout_s
        while low < high and time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is None or message.error():
                continue
            messages.append(message)
            if message.offset() + 1 >= high:
                break
        return messages
