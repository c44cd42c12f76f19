namespace Breakwater.Proxy.EventLoops;

/// <summary>One piece of a gathered send (<c>struct iovec</c>).</summary>
internal unsafe struct IoVector
{
    public byte* Base;
    public nuint Length;
}
