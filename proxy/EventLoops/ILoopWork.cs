namespace Breakwater.Proxy.EventLoops;

/// <summary>Something that other threads have an <see cref="EventLoop"/> do.</summary>
internal interface ILoopWork
{
    /// <summary>Runs on the loop's thread.</summary>
    void Posted();

    /// <summary>It threw.</summary>
    void Fail();
}
