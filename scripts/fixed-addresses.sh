#!/bin/sh
# Prints what to put before a program under ThreadSanitizer, which wants memory at its
# own addresses: nothing where a container forbids to ask; such do without.
if setarch -R true 2>/dev/null; then
	echo "setarch -R"
fi
