namespace Breakwater.Proxy.Snapshots;

/// <summary>A place in a repository whose bytes are an object.</summary>
/// <param name="Path">The file, or for a catalog the directory at which it begins.</param>
/// <param name="Range">For a chunk: which part of the file. Null: all of it.</param>
internal readonly record struct KeyName(string Path, Stretch? Range);
