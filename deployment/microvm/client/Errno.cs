namespace Breakwater.Mount;

/// <summary>Error numbers of Linux that the mount answers with.</summary>
internal static class Errno
{
    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int ReadOnly = 30;
    public const int Range = 34;
    public const int NotImplemented = 38;
    public const int NoData = 61;
}
