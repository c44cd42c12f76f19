namespace Breakwater.Mutation;

/// <summary>How a mutant ended.</summary>
internal enum Outcome
{
    /// <summary>A test failed.</summary>
    Caught,

    /// <summary>A test hung, or the process of the tests died.</summary>
    CaughtByTimeout,

    /// <summary>All tests that reach the line passed.</summary>
    Survived,

    /// <summary>No test reaches the line.</summary>
    NotReached,

    /// <summary>The file of equivalents says why no test can see it.</summary>
    Equivalent,
}
