import { createStore } from './store'

/** Whether the left pane is shown over the page, on screens too narrow to have it beside. */
export const sidebarOpen = createStore(false)
export const openSidebar = () => sidebarOpen.set(true)
export const closeSidebar = () => sidebarOpen.set(false)
