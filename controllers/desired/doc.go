// Package desired says what an instance should have in its cluster: from its
// manifest, the operator's settings and what was found or made for it, to the
// objects as they are to be applied. Everything here is a function of its
// arguments. It reads no cluster, no clock and no random source, and the same
// arguments give the same objects, byte for byte: what is applied again changes
// nothing, and an operator's upgrade rolls only pods whose template it means to
// change. The golden files in testdata show the objects of each telling case.
//
// What a manifest asks for and can't have (an image, a host) is a [Problem], whose
// reason and message become a condition; the other objects are as they should be.
package desired
