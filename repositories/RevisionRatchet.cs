namespace Breakwater.Repositories;

/// <summary>A verified repository's revision never goes back, unless an operator says so.</summary>
public static class RevisionRatchet
{
    /// <summary>Decides on an offered revision.</summary>
    /// <param name="highest">The highest revision verified so far; null when there is none.</param>
    /// <param name="offered">The verified revision that is offered.</param>
    /// <param name="rollbackFloor">The lowest revision that the operator allows to go back to; null: none.</param>
    public static RevisionStep Decide(ulong? highest, ulong offered, ulong? rollbackFloor = null) => highest switch
    {
        null => RevisionStep.Advance,
        ulong have when offered > have => RevisionStep.Advance,
        ulong have when offered == have => RevisionStep.Same,
        _ => rollbackFloor is ulong floor && offered >= floor ? RevisionStep.AllowedBack : RevisionStep.Back,
    };
}
