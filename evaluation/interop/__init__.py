"""Exchanges results with other tools: logs of Inspect, its scorers, and OpenTelemetry."""
