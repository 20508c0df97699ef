module qzmq.test/go-luxfi

go 1.26
