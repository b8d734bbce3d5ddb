"""Tests of the writers, on tables that only these tests create."""
