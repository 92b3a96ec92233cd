// Package ui is what the owner sees.
package ui
