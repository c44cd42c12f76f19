namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>A time of a file, exact.</summary>
/// <param name="Seconds">Since 1970, rounded down; negative before.</param>
/// <param name="Nanoseconds">Beside the seconds.</param>
internal readonly record struct FileTime(long Seconds, uint Nanoseconds);
