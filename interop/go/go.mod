module qzmq.test/go

go 1.26
