"""Automated assessment: an auditor probes the target over many turns, a judge scores what was said and done."""
