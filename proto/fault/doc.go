// Package fault names the points at which tests kill the process, and the defects that tests plant to see their
// checks turn red. In ordinary builds its functions are empty and the compiler removes the calls.
//
// With the build tag `faults` the environment decides:
//
//	LIENTHONG_FAULT=point:n:kill    the n-th pass (from 1) of the point ends the process with SIGKILL
//	LIENTHONG_FAULT=point:n:hang    the n-th pass never returns
//	LIENTHONG_PLANT=name,name       the named defects are in
//
// Several faults are separated by commas. A value that cannot be read ends the process with status 2: a test that
// asks for a fault must not pass because of a misprint.
//
// What does not belong here: faults of devices (the seams of each package) and of networks.
package fault
