package console

func (s *Server) addThreads()  {}
func (s *Server) addChannels() {}
func (s *Server) addKeys()     {}
func (s *Server) addMoney()    {}
func (s *Server) addTrail()    {}
func (s *Server) addTexts()    {}
