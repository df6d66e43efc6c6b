export { createEstimator, type Estimator } from './estimator.ts';
