namespace Breakwater.Laboratory.Stratum1;

/// <summary>What can go wrong with an answer.</summary>
internal enum Fault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Half of the body, then nothing more; the connection stays open.</summary>
    Stall,

    /// <summary>512 bytes a second.</summary>
    Drip,

    /// <summary>Half of the body, then the end of the connection.</summary>
    Truncate,

    /// <summary>One bit in the middle is wrong.</summary>
    Flip,

    /// <summary>The body twice, with the doubled length in the head (seen in public: cvmfs/cvmfs#2991).</summary>
    Double,

    /// <summary>404 though the object exists.</summary>
    NotFound,

    /// <summary>Half of the body, then a RST.</summary>
    Reset,
}
