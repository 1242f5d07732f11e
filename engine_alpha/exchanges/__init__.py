"""Reaching exchanges: ccxt loaded one class at a time, signed requests, one governor of the pace for all."""
